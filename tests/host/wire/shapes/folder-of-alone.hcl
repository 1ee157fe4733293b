# The folder of such templates: Packer refuses it, and no finding calls it fine. After osuosl/packer-templates.
# steps: 0 of 1
#=== debian.pkr.hcl
variable "image_name" {
}
source "qemu" "vm" {
}
build {
  sources = ["source.qemu.vm"]
  provisioner "shell" {
    inline = ["true"]
  }
}
#=== ubuntu.pkr.hcl
variable "image_name" { #< wrong: Packer refuses this folder: var.image_name, source.qemu.vm are also declared at debian.pkr.hcl:1
}
source "qemu" "vm" {
}
build {
  sources = ["source.qemu.vm"]
}
