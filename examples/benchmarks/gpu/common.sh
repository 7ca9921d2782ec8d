# What run.sh and profile.sh begin with: kit is their folder, out the folder for what they find.
# Sourced with that folder's name; leaves the caller in a folder of its own with the programs.
kit=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
python=${PYTHON:-python3}
device=${DEVICE:-cuda:0}

work=${WORK:-${TMPDIR:-/tmp}/occlude-gpu} # kept for a second command
mkdir -p "$work"
cd "$work"
for program in occlude check gpu; do
	gzip -dc "$kit/$program.gz" >$program && chmod +x $program
done
cp "$kit"/*.py .
export OCCLUDE_DATA=$work/data

# The driver's folder may be one that the dynamic linker is not told of.
for folder in /usr/local/nvidia/lib64 /usr/local/nvidia/lib /usr/local/cuda/compat; do
	if ! ldconfig -p 2>/dev/null | grep -q libcuda.so.1 && [[ -e $folder/libcuda.so.1 ]]; then
		export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$folder
	fi
done

heading() { printf '\n=== %s, after %d s\n' "$1" $SECONDS; }
