# Nothing but its name says that it is FreeBSD. After SimplySeth/packer-qemu-FreeBSD.
# exit: 0
# steps: 0 of 0
source "qemu" "freebsd" { #< note: FreeBSD guest (the name "freebsd")
}
build {
  sources = ["source.qemu.freebsd"]
  provisioner "shell" {
    execute_command = "chmod +x {{ .Path }}; env {{ .Vars }} {{ .Path }}"
    scripts         = ["update.sh"]
  }
}
