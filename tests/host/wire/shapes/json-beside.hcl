# A JSON file beside HCL2 templates is a note.
# exit: 0
# steps: 0 of 0
#=== main.pkr.hcl
source "qemu" "a" {
}
build {
  sources = ["source.qemu.a"]
@first
@last
}
#=== old.json
{"builders": []} #< note: level 0
