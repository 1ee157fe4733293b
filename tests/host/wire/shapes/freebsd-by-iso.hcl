# FreeBSD with QEMU, which has no attribute for the system: the ISO's name says it. After osuosl/packer-templates.
# exit: 0
# steps: 0 of 0
variable "mirror" {
  default = "https://download.freebsd.example.org"
}
source "qemu" "vm" { #< note: FreeBSD guest (iso_url = "https://download.freebsd.example.org/15.0/FreeBSD-15.0-disc1.iso"
  iso_url      = "${var.mirror}/15.0/FreeBSD-15.0-disc1.iso"
  ssh_username = "root"
}
build {
  sources = ["source.qemu.vm"]
  provisioner "shell" {
    execute_command = "echo 'freebsd' | {{.Vars}} su -m root -c 'sh -eux {{.Path}}'"
    scripts         = ["update.sh", "cleanup.sh"]
  }
}
