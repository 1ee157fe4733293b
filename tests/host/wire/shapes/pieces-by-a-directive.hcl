# `%{ if }` around the pieces: only Packer knows.
# exit: 0
# steps: 0 of 1
source "qemu" "a" {
}
build {
  sources = ["qemu.a"]
@first
  provisioner "shell" { #< note: only Packer can evaluate
    execute_command = "%{ if var.m }${local.buildtel_pre}%{ endif }sh {{ .Path }}%{ if var.m }${local.buildtel_post}%{ endif }"
    inline          = ["true"]
  }
@last
}
