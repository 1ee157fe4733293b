# Several templates in one folder, each built alone: packer build debian.pkr.hcl. After osuosl/packer-templates.
# check: debian.pkr.hcl
# steps: 0 of 1
#=== debian.pkr.hcl
variable "mirror" {
  default = "https://deb.example.org"
}
source "qemu" "debian" {
  iso_url = "${var.mirror}/debian.iso"
}
build { #< wrong: lacks buildtel's first #< wrong: lacks buildtel's last
  sources = ["source.qemu.debian"]
  provisioner "shell" { #< unmeasured
    execute_command = "{{.Vars}} sudo -E bash '{{.Path}}'"
    scripts         = ["scripts/a.sh", "scripts/b.sh"]
  }
}
#=== ubuntu.pkr.hcl
variable "mirror" {
  default = "https://ubuntu.example.org"
}
source "qemu" "ubuntu" {
  iso_url = "${var.mirror}/ubuntu.iso"
}
build {
  sources = ["source.qemu.ubuntu"]
}
