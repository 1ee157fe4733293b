# The version by a variable's default, no "macos" in the name. After hnatekmarorg/base.
# exit: 0
# steps: 0 of 0
variable "release" {
  default = "ventura"
}
source "tart-cli" "tart" { #< note: macOS guest (vm_base_name = "ventura-vanilla"
  vm_base_name = "${var.release}-vanilla"
}
build {
  sources = ["source.tart-cli.tart"]
  provisioner "shell" {
    inline = ["sudo mdutil -a -i off"]
  }
}
