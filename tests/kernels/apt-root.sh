#!/bin/sh
# Runs an apt command with lists, cache and state of its own, so that the machine's apt is neither asked nor changed.
# It knows the Debian releases whose kernels and foreign libraries are used, at the mirror that the machine's own apt uses.
#
#   tests/kernels/apt-root.sh FOLDER COMMAND...      e.g. apt-root.sh /tmp/x apt-cache pkgnames
set -eu

root=$1
shift
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
suites='bookworm bookworm-backports trixie-backports'
security='bullseye-security bookworm-security'

# The addresses of the machine's Debian and Debian-Security sources.
sources() {
    apt-get indextargets --format "\$(LABEL) \$(REPO_URI)" "Created-By: Packages" "Origin: Debian" | sort -u
}

write_config() {
    found=$(sources)
    if [ -z "$found" ]; then
        # No lists yet, as in a fresh container image.
        apt-get update -qq </dev/null
        found=$(sources)
    fi
    debian=$(echo "$found" | sed -n 's/^Debian //p' | head -n 1)
    debian_security=$(echo "$found" | sed -n 's/^Debian-Security //p' | head -n 1)
    if [ -z "$debian" ] || [ -z "$debian_security" ] || [ ! -e "$keyring" ]; then
        echo "kernels: this machine's apt has no Debian and Debian-Security sources" >&2
        exit 1
    fi
    mkdir -p "$root/lists/partial" "$root/cache/archives/partial" "$root/state"
    : >"$root/state/status"
    rm -f "$root/apt.conf"
    {
        for suite in $suites; do echo "deb [signed-by=$keyring] $debian $suite main"; done
        for suite in $security; do echo "deb [signed-by=$keyring] $debian_security $suite main"; done
    } >"$root/sources.list"
    cat >"$root/apt.conf.new" <<-END
		$written_for
		Dir::Etc::SourceList "$root/sources.list";
		Dir::Etc::SourceParts "/dev/null";
		Dir::State "$root/state";
		Dir::State::Lists "$root/lists";
		Dir::State::Status "$root/state/status";
		Dir::Cache "$root/cache";
		APT::Architectures { "amd64"; "arm64"; };
		APT::Sandbox::User "";
		Acquire::Languages "none";
		Acquire::Retries "3";
		APT::Update::Error-Mode "any";
		Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
		Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
	END
    APT_CONFIG="$root/apt.conf.new" apt-get update -qq </dev/null
    # The name tells that the lists are there.
    mv "$root/apt.conf.new" "$root/apt.conf"
}

# Lists that were fetched for other releases are fetched anew.
written_for="// $suites $security"
grep -qsxF "$written_for" "$root/apt.conf" || write_config
APT_CONFIG="$root/apt.conf" "$@"
