#!/usr/bin/env bash
# Builds the Debian package: the program and what it needs from PyPI, in a virtual environment of its
# own under /usr/lib. It fits the release of Debian or Ubuntu on which it is built, and no other.
# Usage: build.sh [DIR]     writes DIR/realtime-bokeh_VERSION-1_ARCHITECTURE.deb (DIR: dist)
#   DEBFULLNAME, DEBEMAIL   the package's maintainer  (git's user)
#   COMPRESSION             dpkg-deb's -Z             (xz)
# Exits with 77 and a line that says why where the tools for it are missing.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
source=$(dirname "$(dirname "$here")")
out=$(realpath -m "${1:-dist}")
name=realtime-bokeh
home=/usr/lib/$name
python=/usr/bin/python3   # Debian's own: the package runs with it, whatever else is on PATH here

for tool in dpkg-deb dpkg-shlibdeps gzip; do
  command -v "$tool" >/dev/null || { echo "skipped: needs Debian with dpkg-dev ($tool is missing)"; exit 77; }
done
"$python" -c "import ensurepip" 2>/dev/null || { echo "skipped: needs Debian's python3-venv"; exit 77; }
# OpenVINO's plugin for GPUs names it, so that dpkg-shlibdeps wants to see it
/sbin/ldconfig -p | grep -F libOpenCL.so.1 >/dev/null || { echo "skipped: needs Debian's ocl-icd-libopencl1"; exit 77; }
maintainer="${DEBFULLNAME:-$(git -C "$source" config user.name || true)} <${DEBEMAIL:-$(git -C "$source" config user.email || true)}>"
[[ $maintainer == ?*" <"?*">" ]] || { echo "Set DEBFULLNAME and DEBEMAIL to the package's maintainer" >&2; exit 2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
install -d "$root/usr/lib" "$root/usr/bin" "$root/DEBIAN" "$out"

# The environment: made here, with every path in it as it will be after the installation.
"$python" -m venv "$root$home"
site=$(echo "$root$home"/lib/python3.*/site-packages)
minor=$(basename "$(dirname "$site")" | sed 's/python3\.//')
"$root$home/bin/python3" -m pip wheel --quiet --no-deps --wheel-dir "$work" "$source"
wheel=$(echo "$work"/*.whl)
"$root$home/bin/python3" -m pip install --quiet --no-compile "${wheel}[audio,panel,tray]"
# GPL-2.0, which does not go with OpenVINO's Apache-2.0; and only other systems need it
"$root$home/bin/python3" -m pip uninstall --quiet --yes pyvirtualcam
version=$(basename "$wheel" | cut -d- -f2)
printf 'home = /usr/bin\ninclude-system-site-packages = false\n' >"$root$home/pyvenv.cfg"
ln -sf ../../../bin/python3 "$root$home/bin/python3"
sed -i "1s|.*|#!$home/bin/python3 -I|" "$root$home/bin/$name"   # -I: no PYTHONPATH of the user's
ln -s "../lib/$name/bin/$name" "$root/usr/bin/$name"

# What the program never uses: installers, tests, what compilers and type checkers read, other programs,
# and OpenVINO's readers of models that are not ONNX.
rm -rf "$site"/{pip,setuptools}{,-*} "$site"/{pkg_resources,_distutils_hack,distutils-precedence.pth}
find "$root$home/bin" -mindepth 1 ! -name python3 ! -name "$name" -delete
rm -rf "${root:?}$home"/{include,lib64,share} "$site"/openvino/{include,cmake,tools} "$site"/numpy/{f2py,distutils}
rm -rf "$site"/openvino/{torch,frontend/{tensorflow,pytorch,paddle,jax}} \
  "$site"/openvino/libs/libopenvino_{tensorflow,tensorflow_lite,pytorch,paddle,gguf,jax}_frontend.so*
find "$site" -depth -type d \( -name tests -o -name __pycache__ -o -name include \) -exec rm -rf {} +
find "$site" -type f \( -name '*.pyi' -o -name '*.py[xd]' -o -name '*.pxd' -o -name '*.[ah]' -o -name '*.pc' \
  -o -name RECORD -o -name direct_url.json \) -delete
# dpkg has installed it: pip keeps its hands off, and the program's hints name other ways to get extras
printf 'dpkg\n' | tee "$site"/*.dist-info/INSTALLER >/dev/null

# Beside the program.
share=$root/usr/share
install -D -m 644 "$here/$name.desktop" -t "$share/applications"
install -D -m 644 "$here/$name.svg" -t "$share/icons/hicolor/scalable/apps"
install -D -m 644 "$here/$name.metainfo.xml" -t "$share/metainfo"
install -D -m 644 "$here/lintian-overrides" "$share/lintian/overrides/$name"
install -d "$share"/{bash-completion/completions,zsh/vendor-completions,fish/vendor_completions.d,man/man1} \
  "$share/doc/$name" "$root/usr/lib/systemd/user"
run=(env -C "$work" "PYTHONPATH=$site" PYTHONDONTWRITEBYTECODE=1 "$python")
"${run[@]}" -m realtime_bokeh completion bash >"$share/bash-completion/completions/$name"
"${run[@]}" -m realtime_bokeh completion zsh >"$share/zsh/vendor-completions/_$name"
"${run[@]}" -m realtime_bokeh completion fish >"$share/fish/vendor_completions.d/$name.fish"
"${run[@]}" "$here/texts.py" man | gzip -9n >"$share/man/man1/$name.1.gz"
"${run[@]}" "$here/texts.py" unit >"$root/usr/lib/systemd/user/$name.service"
"${run[@]}" "$here/texts.py" copyright "$site" "$source/LICENSE" >"$share/doc/$name/copyright"
gzip -9n <"$source/CHANGELOG.md" >"$share/doc/$name/changelog.gz"
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(stat -c %Y "$source/CHANGELOG.md")}
gzip -9n >"$share/doc/$name/changelog.Debian.gz" <<END
$name ($version-1) unstable; urgency=medium

  * Version $version; see changelog.gz.

 -- $maintainer  $(date -R -u -d "@$SOURCE_DATE_EPOCH")
END

# The libraries' own libraries, by the packages that have them here. OpenCL's is for Intel graphics alone.
mkdir "$work/debian"
printf 'Source: %s\n\nPackage: %s\nArchitecture: any\n' "$name" "$name" >"$work/debian/control"
find "$site" -name '*.so*' -type f -print0 |
  (cd "$work" && xargs -0 dpkg-shlibdeps --warnings=0 --ignore-missing-info -Tsubstvars -xocl-icd-libopencl1) 2>"$work/shlibdeps.log" ||
  { cat "$work/shlibdeps.log" >&2; exit 1; }
libraries=$(sed -n 's/^shlibs:Depends=//p' "$work/substvars")

install -m 755 "$here/postinst" "$here/prerm" "$root/DEBIAN"
cat >"$root/DEBIAN/control" <<END
Package: $name
Version: $version-1
Architecture: $(dpkg --print-architecture)
Maintainer: $maintainer
Installed-Size: $(du -sk --apparent-size "$root/usr" | cut -f1)
Depends: python3 (>= 3.$minor~), python3 (<< 3.$((minor + 1))), $libraries
Recommends: v4l2loopback-dkms, libportaudio2
Suggests: intel-opencl-icd
Section: video
Priority: optional
Description: webcam with a background blurred as by a camera's lens
 Takes a webcam, blurs the background with a small neural network the way a
 lens does, and gives the result to video calls and streaming programs as a
 virtual webcam, in real time, on the CPU or on Intel graphics. It also renders
 videos and photos. Frames never leave the computer.
 .
 What it needs of PyPI (OpenVINO, OpenCV, PyAV and others) is in the package.
END
(cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
find "$root" -type d -exec chmod 755 {} +
chmod -R u=rwX,go=rX "$root/usr"
find "$site" -name '*.so*' -exec chmod 644 {} +
package=$out/${name}_$version-1_$(dpkg --print-architecture).deb
dpkg-deb --root-owner-group "-Z${COMPRESSION:-xz}" --build "$root" "$package" >/dev/null
echo "$package: $(du -m --apparent-size "$package" | cut -f1) MB, $(du -sm --apparent-size "$root/usr" | cut -f1) MB installed"
