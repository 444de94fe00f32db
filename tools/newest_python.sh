#!/usr/bin/env bash
# Put the newest Python into a folder of its own and print the path of its interpreter.
#
#   tools/newest_python.sh FOLDER [VERSION]
#
# VERSION is the newest minor version that every library in requirements.lock has wheels
# for. A `pythonVERSION` already on the path is used as it is. Otherwise, on a Debian-like
# x86-64 machine, the packages of the distribution's development suite are unpacked into
# FOLDER, C library included, and started through their own loader; nothing is installed
# on the machine, no root rights are needed, and apt checks every signature.
# Ends with status 3, and says why in its last line, where neither is possible.
set -euo pipefail

refuse() {
    echo "newest_python.sh: Python $version cannot be had here: $1" >&2
    exit 3
}

folder=${1:?usage: tools/newest_python.sh FOLDER [VERSION]}
version=${2:-3.15}

if found=$(command -v "python$version") && "$found" -c '' 2>/dev/null; then
    echo "$found"
    exit 0
fi

for tool in apt-get apt-cache dpkg-deb; do
    command -v "$tool" >/dev/null || refuse "neither python$version nor $tool is here"
done
[ "$(dpkg --print-architecture)" = amd64 ] || refuse "only x86-64 is provided for"
key=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$key" ] || refuse "no signing keys in $key"
# shellcheck disable=SC2016 # these are apt's own fields
mirror=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 2>/dev/null |
    awk '$1 == "Debian" && $2 !~ /security/ { print $2; exit }')
[ -n "$mirror" ] || refuse "apt knows no mirror of the distribution; try apt-get update"

rm -rf "$folder"
mkdir -p "$folder"/{system,apt/state/lists/partial,apt/cache/archives/partial}
folder=$(cd "$folder" && pwd)
apt=$folder/apt
echo "deb [signed-by=$key] $mirror sid main" >"$apt/sources.list"
cat >"$apt/apt.conf" <<EOF
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
APT::Architecture "amd64";
APT::Architectures "amd64";
APT::Sandbox::User "";
Dir::Cache "$apt/cache";
Dir::Etc::SourceList "$apt/sources.list";
Dir::Etc::SourceParts "-";
Dir::State "$apt/state";
EOF
export APT_CONFIG=$apt/apt.conf

apt-get -qq -o APT::Update::Error-Mode=any update >&2 ||
    refuse "the list of packages cannot be fetched"
apt-cache show "python$version-venv" >/dev/null 2>&1 ||
    refuse "the development suite has no python$version-venv"
wanted=$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts \
    --no-breaks --no-replaces --no-enhances "python$version-venv" libstdc++6 |
    grep -E '^(gcc|lib|python|tzdata|zlib1g)' |
    grep -vE '^lib(debian|newt|selinux|slang|textwrap|pcre)')
# shellcheck disable=SC2086 # one word per package
(cd "$apt" && apt-get -qq download $wanted >&2) || refuse "its packages cannot be fetched"
for package in "$apt"/*.deb; do
    dpkg-deb --extract "$package" "$folder/system"
done
rm -rf "$apt"

# Its ensurepip looks for pip in the machine's own folder, where an older one may lie.
library=$folder/system/usr/lib/python$version
grep -rlZ --include='*.py' --include='*.json' /usr/share/python-wheels "$library" |
    xargs -0 sed -i "s|/usr/share/python-wheels|$folder/system&|"

# Python finds its library from the place of what was called, so the starter takes the
# place of the program.
libraries=$folder/system/usr/lib/x86_64-linux-gnu
start=$folder/system/usr/bin/python$version
mv "$start" "$start-program"
cat >"$start" <<EOF
#!/bin/sh
exec "$libraries/ld-linux-x86-64.so.2" --argv0 "\$0" --library-path "$libraries" \\
    "$start-program" "\$@"
EOF
chmod +x "$start"
"$start" -c 'import ctypes, hashlib, ssl, sqlite3, zlib' >&2 || refuse "it does not start"
echo "$start"
