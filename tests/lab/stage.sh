# SPDX-License-Identifier: GPL-2.0
# What a run takes along: a snapshot of the checkout and the run's own files, in a small read-only
# disk image. A copy, because people edit and build while virtual machines run.

# Tracked and new files, and what has been built; not what git ignores besides.
stage_files() {
	(
		cd "$TOP"
		if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
			git ls-files -co --exclude-standard
		else
			find . -path ./build -prune -o -type f -print
		fi
		find build/bin build/tests -type f 2>/dev/null || true
	) | sort -u
}

stage_snapshot() {
	mkdir -p "$STAGE/lab/kvmsched"
	# A file that goes away between listing and copying is no error: the checkout is alive.
	stage_files >"$STAGE/files"
	tar -C "$TOP" -c --ignore-failed-read --no-recursion -T "$STAGE/files" 2>/dev/null |
		tar -x -C "$STAGE/lab/kvmsched" || true
}

stage_params() {
	local kv

	cat <<-END
	LAB_KERNEL=$KERNEL
	LAB_GUEST_KERNEL=$GUEST_KERNEL
	LAB_CPUS=$CPUS
	LAB_ICOUNT=$ICOUNT
	LAB_GUEST_CPUS=$GUEST_CPUS
	LAB_GUEST_MEM=$GUEST_MEM
	LAB_GUESTS=$GUESTS
	LAB_SCALE=$SCALE
	LAB_BUDGET=$((TIMEOUT > 60 ? TIMEOUT - 30 : TIMEOUT / 2))
	LAB_GUEST_APPEND=$(printf %q "$GUEST_APPEND")
	END
	for kv in ${ENVS[@]+"${ENVS[@]}"}; do
		printf '%s=%q\n' "${kv%%=*}" "${kv#*=}"
	done
}

stage_make() {
	local lab=$STAGE/lab

	stage_snapshot
	cp "$LAB_DIR"/{init2,lib.sh,lib-host.sh} "$lab"
	cp "$HOST_SCRIPT" "$lab/host.sh"
	cp "${GUEST_SCRIPT:-$LAB_DIR/serve.guest}" "$lab/guest.sh"
	stage_params >"$lab/params"
	[ "$INTERACTIVE" = 0 ] || cp "$LAB_DIR/shell.rc" "$lab/shell.rc"
	mkdir "$lab/guest"
	cp "$CACHE/kernels/$GUEST_KERNEL"/{"$GUEST_IMAGE",initrd,release} "$lab/guest"
	mv "$lab/guest/$GUEST_IMAGE" "$lab/guest/kernel"
	squash "$lab" "$STAGE/lab.img"
	rm -rf "$lab"
}
