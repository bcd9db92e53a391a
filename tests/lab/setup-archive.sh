# SPDX-License-Identifier: GPL-2.0
# The Debian archive, through an apt state directory of our own: the machine's sources stay as they
# are. Addresses come from the machine's apt, never from here.

ARCHIVE_STATE=
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e "$KEYRING" ] || KEYRING=${KEYRING%.gpg}.pgp

# The address of the main archive (1st argument "main") or of the security archive.
archive_uri() {
	local uris

	if [ -n "${KVMSCHED_MIRROR:-}" ]; then
		[ "$1" = main ] && echo "$KVMSCHED_MIRROR" && return
		echo "${KVMSCHED_MIRROR_SECURITY:-${KVMSCHED_MIRROR%/}-security}"
		return
	fi
	uris=$(apt-get indextargets --format '$(REPO_URI) $(SUITE)' 'Origin: Debian' | sort -u)
	if [ "$1" = main ]; then
		uris=$(grep -v -e '-security$' <<<"$uris" || true)
	else
		uris=$(grep -e '-security$' <<<"$uris" || true)
	fi
	echo "${uris%% *}"
}

archive_find() {
	MAIN=$(archive_uri main)
	SECURITY=$(archive_uri security)
	[ -n "$MAIN" ] && [ -n "$SECURITY" ] ||
		die "apt knows no Debian archive: run apt-get update, or set KVMSCHED_MIRROR"
	[ -r "$KEYRING" ] || die "$KEYRING is missing: install debian-archive-keyring"
}

# Four suites' package lists in a throw-away apt state.
archive_open() {
	[ -z "$ARCHIVE_STATE" ] || return 0
	archive_find
	ARCHIVE_STATE=$(mktemp -d "$CACHE/tmp/apt.XXXXXX")
	mkdir -p "$ARCHIVE_STATE/lists/partial" "$ARCHIVE_STATE/cache/archives/partial"
	: >"$ARCHIVE_STATE/status"
	cat >"$ARCHIVE_STATE/sources.list" <<-END
	deb [signed-by=$KEYRING] $MAIN bookworm main
	deb [signed-by=$KEYRING] $SECURITY bookworm-security main
	deb [signed-by=$KEYRING] $MAIN trixie main
	deb [signed-by=$KEYRING] $SECURITY trixie-security main
	deb [signed-by=$KEYRING] $MAIN trixie-backports main
	END
	cat >"$ARCHIVE_STATE/apt.conf" <<-END
	Dir::State "$ARCHIVE_STATE";
	Dir::State::status "$ARCHIVE_STATE/status";
	Dir::Cache "$ARCHIVE_STATE/cache";
	Dir::Etc::SourceList "$ARCHIVE_STATE/sources.list";
	Dir::Etc::SourceParts "/dev/null";
	Dir::Etc::Preferences "/dev/null";
	Dir::Etc::PreferencesParts "/dev/null";
	APT::Architecture "amd64";
	APT::Architectures "amd64";
	APT::Sandbox::User "root";
	Acquire::Languages "none";
	Acquire::Retries "3";
	END
	say "reading the package lists"
	archive_apt apt-get -q update >"$ARCHIVE_STATE/update.log" 2>&1 ||
		{ tail -n 5 "$ARCHIVE_STATE/update.log" >&2; die "apt-get update failed"; }
}

archive_apt() {
	APT_CONFIG=$ARCHIVE_STATE/apt.conf "$@"
}

archive_forget() {
	[ -z "$ARCHIVE_STATE" ] || rm -rf "$ARCHIVE_STATE"
}

# Every version of every package that matches a regular expression, as "package version", oldest
# version first.
archive_versions() {
	local pkgs

	mapfile -t pkgs < <(archive_apt apt-cache pkgnames linux- | grep -E "$1" || true)
	[ ${#pkgs[@]} -gt 0 ] || return 0
	archive_apt apt-cache madison "${pkgs[@]}" | awk '$6 != "Sources" { print $1, $3 }' |
		sort -u | sort -k2,2V
}

# archive_get DIR PACKAGE=VERSION...: downloads into DIR.
archive_get() {
	local dir=$1
	shift

	(cd "$dir" && archive_apt apt-get -q download "$@" >download.log 2>&1) ||
		{ tail -n 5 "$dir/download.log" >&2; die "download failed: $*"; }
}
