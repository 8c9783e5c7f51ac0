"""Times Python's feedparser over the corpus, for `cargo bench --bench figures`.

Reads the files named on standard input, one a line, into memory, then parses them all once for
each line "go" that follows, and answers "seconds entries". Only the parsing is timed, by the
processor time of this one process. feedparser does less than what it is measured against: it gives back entries,
with no clean text, identity, tags or records.
"""

import sys
import time

import feedparser


def main():
    documents = []
    for line in sys.stdin:
        name = line.rstrip("\n")
        if not name:
            break
        with open(name, "rb") as file:
            documents.append(file.read())
    print(feedparser.__version__, sys.version.split()[0], flush=True)
    for _ in iter(sys.stdin.readline, ""):
        started = time.process_time()
        entries = sum(len(feedparser.parse(document).entries) for document in documents)
        print(time.process_time() - started, entries, flush=True)


main()
