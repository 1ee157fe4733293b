# A file beside the machine: it has no guest, and buildtel's provisioners do no harm there.
# exit: 0
# steps: 1 of 1
source "file" "seed" { #< note: has no guest to measure (a "file" source starts no machine)
  content = "x"
  target  = "seed.cfg"
}
source "qemu" "debian" {
}
build {
  sources = ["source.file.seed", "source.qemu.debian"]
@first
  provisioner "shell" {
    execute_command = local.buildtel_execute_command
    inline          = ["true"]
  }
@last
}
