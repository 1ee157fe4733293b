# Each file with its own lines: still refused as a folder, in one line for each pair of files.
# steps: 0 of 0
#=== a.pkr.hcl
@library
source "qemu" "a" {
}
build {
  sources = ["source.qemu.a"]
@first
@last
}
#=== b.pkr.hcl
@library #< wrong: Packer refuses this folder
source "qemu" "b" {
}
build {
  sources = ["source.qemu.b"]
@first
@last
}
#=== buildtel.pkr.hcl
# not copied
