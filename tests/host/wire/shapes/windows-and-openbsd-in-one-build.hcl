# No Linux at all: nothing is missing, and nothing of ours may be there.
# steps: 0 of 0
source "qemu" "openbsd" { #< note: OpenBSD guest
}
source "qemu" "w" { #< note: Windows guest (provisioner "windows-update" at main.pkr.hcl:9)
}
build {
  sources = ["qemu.openbsd", "qemu.w"]
  provisioner "windows-update" {
    only = ["qemu.w"]
  }
@last #< wrong: can't run in this build (qemu.openbsd: OpenBSD, the name "openbsd"; qemu.w: Windows
}
