# The same with the lines that `wire FILE` prints: the file stands alone. After osuosl/packer-templates.
# check: debian.pkr.hcl
# exit: 0
# steps: 1 of 1
#=== debian.pkr.hcl
@library
variable "mirror" {
  default = "https://deb.example.org"
}
source "qemu" "debian" {
  iso_url = "${var.mirror}/debian.iso"
}
build {
  sources = ["source.qemu.debian"]
@first
  provisioner "shell" {
    execute_command = "${local.buildtel_pre}{{.Vars}} sudo -E bash '{{.Path}}'${local.buildtel_post}"
    scripts         = ["scripts/a.sh", "scripts/b.sh"]
  }
@last
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
