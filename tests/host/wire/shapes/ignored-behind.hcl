# The comment behind the brace is about that block.
# exit: 0
# steps: 0 of 0
source "qemu" "aix" {
}
build { // buildtel:ignore #< note: build is not checked
  sources = ["qemu.aix"]
  provisioner "shell" {
    inline = ["true"]
  }
}
