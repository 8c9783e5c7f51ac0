#!/bin/sh
# Whether a released binary is hardened, and says nothing of where it was built.
#
#   tests/release/hardened.sh [BINARY]      # of another machine: with NM, its nm
#
# Needs readelf, nm and strings (binutils, which every C compiler brings). What was compiled is
# looked at too where it still lies beside the binary.
set -eu
cd "$(dirname "$0")/../.."
binary=${1:-target/released/conflictwire}
[ -f "$binary" ] || { echo "no $binary; build it with: make release" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
readelf --wide --file-header --program-headers --dynamic "$binary" >"$work/elf"
readelf --wide --dyn-syms "$binary" >"$work/symbols"
readelf --wide --sections "$binary" >"$work/sections"
strings -a "$binary" >"$work/strings"

failed=0
# present WHAT PATTERN FILE: it is there.
present() {
    if grep -qE -e "$2" "$3"; then
        echo "fine  $1"
    else
        echo "FAILS $1"
        failed=1
    fi
}
# absent WHAT PATTERN FILE: nothing like it is there.
absent() {
    if grep -E -m 5 -e "$2" "$3" >"$work/found"; then
        echo "FAILS $1:"
        cut -c 1-200 "$work/found"
        failed=1
    else
        echo "fine  $1"
    fi
}

present "position-independent" 'Type: +DYN' "$work/elf"
present "tables of addresses are read-only (RELRO)" 'GNU_RELRO' "$work/elf"
present "and filled at the start (BIND_NOW)" 'FLAGS.*(BIND_NOW|NOW)' "$work/elf"
present "the stack is not executable" 'GNU_STACK.* RW +0' "$work/elf"
absent "nothing is writable and executable" 'LOAD .* RWE ' "$work/elf"
absent "no library is looked for in a folder of the builder's (RPATH)" '\((RPATH|RUNPATH)\)' "$work/elf"
absent "no symbols and no lines of source are left in it" '\.(symtab|debug_info)' "$work/sections"

present "an overwritten stack is noticed (stack protector)" '__stack_chk_fail' "$work/symbols"
present "copies into buffers are checked (FORTIFY)" \
    '__(memcpy|memmove|strcpy|snprintf|vsnprintf|sprintf)_chk' "$work/symbols"
present "no allocation jumps over the guard page (OpenSSL tells its flags)" \
    '^compiler: .*-fstack-clash-protection' "$work/strings"
# The symbols above may come from one library alone.
build=$(dirname "$binary")/build
for library in rdkafka-sys-*/out/src/librdkafka.a openssl-sys-*/out/openssl-build/install/lib/libcrypto.a \
    openssl-sys-*/out/openssl-build/install/lib/libssl.a libsqlite3-sys-*/out/libsqlite3.a \
    zstd-sys-*/out/libzstd.a libz-sys-*/out/lib/libz.a; do
    for file in "$build"/$library; do
        [ -f "$file" ] || continue
        "${NM:-nm}" -u "$file" >"$work/undefined" 2>/dev/null
        present "$(basename "$file"): stack protector" '__stack_chk_fail' "$work/undefined"
        present "$(basename "$file"): FORTIFY" '__[a-z]+_chk$' "$work/undefined"
    done
done

# Absolute, and into what only a builder has.
absent "no path of the crates, the build or the toolchain" \
    '/[^ ]*/(registry/src|git/checkouts|target/(debug|release|released)|rustlib/src)/' "$work/strings"
printf '%s/\n%s/\n' "$PWD" "${HOME:-$PWD}" >"$work/places"
grep -F -f "$work/places" "$work/strings" >"$work/here" || true
absent "no path of this checkout or this home" . "$work/here"
grep -E '^(ENGINESDIR|MODULESDIR|OPENSSLDIR): "' "$work/strings" >"$work/openssl" || true
present "OpenSSL says where it looks for files" 'MODULESDIR' "$work/openssl"
grep -v '"/usr/lib/' "$work/openssl" >"$work/elsewhere" || true
absent "OpenSSL looks for nothing where others may write" . "$work/elsewhere"
exit $failed
