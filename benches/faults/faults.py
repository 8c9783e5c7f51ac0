#!/usr/bin/env python3
"""Breaks feeds in the ways publishers do, and counts what conflictwire and feedparser keep of them.

    faults.py BINARY FOLDER [LIMIT]

FOLDER holds documents (RSS, Atom). Each is broken once in each way, served on loopback, read by
`BINARY poll --json` and by Python's feedparser (pip install feedparser). Kept: entries whose headline comes out as it
does of the whole document, per reader. Entries that the break takes away are not counted.
"""
import collections, http.server, json, os, random, re, subprocess, sys, tempfile, threading

import feedparser

BINARY, FOLDER = os.path.abspath(sys.argv[1]), sys.argv[2]
LIMIT = int(sys.argv[3]) if len(sys.argv) > 3 else 60
ENTRY = re.compile(rb"<(item|entry)[ >].*?</\1>", re.S)


def in_middle(document, entries, change):
    """Changes one entry in the middle of a document."""
    entry = entries[len(entries) // 2]
    return document[: entry.start()] + change(entry.group()) + document[entry.end() :]


def in_title(inserted):
    return lambda document, entries: in_middle(
        document, entries, lambda entry: re.sub(rb"(<title[^>]*>(?:<!\[CDATA\[)?)", lambda found: found.group(1) + inserted, entry, count=1)
    )


def in_entry(inserted):
    return lambda document, entries: in_middle(
        document, entries, lambda entry: re.sub(rb"(<(?:item|entry)[^>]*>)", lambda found: found.group(1) + inserted, entry, count=1)
    )


def replaced(pattern, by):
    return lambda document, entries: in_middle(
        document, entries, lambda entry: re.sub(pattern, by, entry, count=1, flags=re.S)
    )


WAYS = {
    "bare & in a headline": in_title(b"A & B "),
    "bare < in a headline": in_title(b"5 < 6 "),
    "unescaped <br> in an entry": in_entry(b"<description>one<br>two</description>"),
    "mismatched end tag": replaced(rb"</title>", b"</titel>"),
    "stray </p>": in_entry(b"</p>"),
    "end tag of the entry missing": replaced(rb"</(item|entry)>$", b""),
    "CDATA never closed": in_entry(b"<description><![CDATA[never closed</description>"),
    "undefined entity": in_title(b"&nosuchthing; "),
    "undeclared prefix": in_entry(b"<foo:bar>x</foo:bar>"),
    "attribute without quotes": in_entry(b"<category domain=x>y</category>"),
    "attribute twice": in_entry(b'<category domain="x" domain="y">y</category>'),
    "control character": in_title(b"\x0b\x01 "),
    "byte that is no UTF-8": in_title(b"caf\xe9 "),
    "DOCTYPE with harmless entities": lambda document, _: re.sub(
        rb"(<(?:rss|feed|rdf:RDF)[ >])", rb'<!DOCTYPE x [<!ENTITY house "us">]>\n\1', document, count=1
    ),
    "junk before the document": lambda document, _: b"\n\nWarning: something in /x.php on line 3\n" + document,
    "junk behind the document": lambda document, _: document + b"<script>x</script>",
    "cut at 70 %": lambda document, _: document[: len(document) * 7 // 10],
}


def plain(title):
    title = re.sub(r"<[^>]*>", " ", title or "")
    return re.sub(r"\W+", " ", title).strip().lower()


SERVED = {}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = SERVED[self.path]
        self.send_response(200)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def ours(server, configuration, document):
    SERVED["/feed"] = document
    url = f"http://127.0.0.1:{server.server_port}/feed"
    run = subprocess.run(
        [BINARY, "--config", configuration, "poll", "--json", url], capture_output=True, timeout=120
    )
    return [plain(json.loads(line)["title"]) for line in run.stdout.decode().splitlines()]


def theirs(document):
    return [plain(entry.get("title")) for entry in feedparser.parse(document).entries]


def kept(whole, broken):
    left = collections.Counter(whole) & collections.Counter(broken)
    # What was put into a headline stands before the rest of it.
    lost = (collections.Counter(whole) - left).elements()
    others = list((collections.Counter(broken) - left).elements())
    return sum(left.values()) + sum(any(title and other.endswith(title) for other in others) for title in lost)


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.NamedTemporaryFile("w", suffix=".toml", delete=False) as file:
        file.write('[fetch]\nallow_private_networks = ["127.0.0.0/8"]\n[[feed]]\nurl = "http://127.0.0.1/x"\n')
    documents = []
    paths = sorted(os.path.join(at, name) for at, _, names in os.walk(FOLDER) for name in names)
    for path in paths:
        with open(path, "rb") as document:
            document = document.read()
        entries = list(ENTRY.finditer(document))
        if 5 <= len(entries) <= 100 and b"<?xml" in document[:200]:
            documents.append((document, entries))
    random.Random(1).shuffle(documents)
    documents = documents[:LIMIT]
    total = collections.Counter()
    for document, entries in documents:
        whole = ours(server, file.name, document), theirs(document)
        for way, broken in WAYS.items():
            broken = broken(document, entries)
            there = [len(list(ENTRY.finditer(broken)))] * 2 if way == "cut at 70 %" else [len(one) for one in whole]
            read = ours(server, file.name, broken), theirs(broken)
            for reader in (0, 1):
                total[way, reader, "of"] += min(there[reader], len(whole[reader]))
                total[way, reader, "kept"] += min(kept(whole[reader], read[reader]), there[reader])
    os.unlink(file.name)
    print(f"{len(documents)} documents; of the entries that are wholly there, kept with their headline, %")
    print(f"{'':34} conflictwire  feedparser {feedparser.__version__}")
    for way in WAYS:
        share = [100 * total[way, reader, "kept"] / max(total[way, reader, "of"], 1) for reader in (0, 1)]
        print(f"{way:34} {share[0]:12.1f}  {share[1]:10.1f}")


if __name__ == "__main__":
    main()
