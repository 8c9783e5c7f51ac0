"""The headlines that `make eval` measures the coder on, by another public coder of text: Empath
(https://pypi.org/project/empath/, MIT), whose categories "war" and "military" come nearest to ours.

    headlines_by_empath.py DATA    prints precision and recall of relevance, and texts a second
"""

import json
import math
import sys
import time
from pathlib import Path

from empath import Empath

CATEGORIES = ["war", "military"]


def wanted(row):
    """Whether a row is about conflict; None if it is left out, as `benches/coder/eval.rs` does."""
    if row.get("relevant") in (True, "yes"):
        return True
    if row.get("relevant") in (False, "no"):
        return None if {"historical", "anniversary"} & set(row.get("flags") or []) else False
    return None


def rate(hits, of):
    """"0.43 [0.34-0.52] of 117": a share with its 95 % interval (Wilson)."""
    if not of:
        return "- of 0"
    share, z = hits / of, 1.96
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return f"{share:.3f} [{middle - half:.3f}-{middle + half:.3f}] of {of}"


def main(data):
    lines = (Path(data) / "headlines_dev.jsonl").read_text().splitlines()
    rows = [row for row in map(json.loads, lines) if row.get("original") and row["lang"] == "en"]
    texts = [" ".join(row.get(key) or "" for key in ("title", "text")) for row in rows]
    lexicon = Empath()
    start = time.process_time()
    scores = [lexicon.analyze(text, categories=CATEGORIES) or {} for text in texts]
    speed = len(texts) / (time.process_time() - start)
    found = [(sum(score.values()) > 0, wanted(row)) for score, row in zip(scores, rows)]
    right = sum(1 for is_found, is_wanted in found if is_found and is_wanted)
    shown = sum(1 for is_found, is_wanted in found if is_found and is_wanted is not None)
    there = sum(1 for _, is_wanted in found if is_wanted)
    print(f"Empath, {' or '.join(CATEGORIES)}: P {rate(right, shown)}  R {rate(right, there)}; {speed:.0f} texts/s")


main(sys.argv[1])
