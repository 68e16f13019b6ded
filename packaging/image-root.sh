#!/bin/sh
# Completes ROOT, into which the program was installed, to a root file system that it can run in: the
# shared libraries it is linked with, the certificate authorities, its user and its folders. What each
# library's package is, and its licence, stay readable for scanners and for people.
#   usage: packaging/image-root.sh ROOT      (on Debian; used by the Dockerfile)
set -eu

root=$1
program=$root/usr/bin/websentry
uid=10001

[ -x "$program" ] || { echo "$program is not there" >&2; exit 1; }
mkdir -p "$root/usr/lib" "$root/usr/lib64" "$root/etc/ssl" "$root/usr/share/ca-certificates" \
    "$root/var/lib/dpkg/status.d" "$root/var/configs" "$root/var/certs"
install -d -m 1777 "$root/tmp"
ln -s usr/lib "$root/lib"
ln -s usr/lib64 "$root/lib64"

libraries=$(ldd "$program" | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p')
# glibc loads it by name when a thread ends early.
libraries="$libraries $(echo "$libraries" | sed -n 's/libc\.so\.6$/libgcc_s.so.1/p')"
if ldd "$program" | grep 'not found'; then
    exit 1
fi
packages="ca-certificates"
for library in $libraries; do
    # /lib is /usr/lib; dpkg knows a file by either name.
    real=$(realpath "$library")
    folder=$root/usr/$(dirname "${library#/usr}" | sed 's/^\///')
    mkdir -p "$folder"
    cp -n "$real" "$folder/$(basename "$library")"
    package=$(dpkg -S "$real" 2>/dev/null || dpkg -S "${real#/usr}")
    packages="$packages ${package%%:*}"
done
# libsasl2 complains where the folder of its plugins is missing; we need none of them.
mkdir -p "$folder/sasl2"
for package in $(echo "$packages" | tr " " "\n" | sort -u); do
    dpkg -s "$package" >"$root/var/lib/dpkg/status.d/$package"
    if [ -e "/usr/share/doc/$package/copyright" ]; then
        install -D -m 0644 "/usr/share/doc/$package/copyright" "$root/usr/share/doc/$package/copyright"
    fi
done

cp -a /etc/ssl/certs /etc/ssl/openssl.cnf "$root/etc/ssl/"
cp -a /usr/share/ca-certificates/mozilla "$root/usr/share/ca-certificates/"
mkdir -p "$root/usr/lib/ssl"
cp -a /usr/lib/ssl/certs /usr/lib/ssl/cert.pem /usr/lib/ssl/openssl.cnf "$root/usr/lib/ssl/"

printf 'root:x:0:0::/:/\nwebsentry:x:%s:%s::/var/lib/websentry:/\n' "$uid" "$uid" >"$root/etc/passwd"
printf 'root:x:0:\nwebsentry:x:%s:\n' "$uid" >"$root/etc/group"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
