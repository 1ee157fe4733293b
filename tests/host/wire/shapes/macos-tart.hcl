# A macOS with Tart: Homebrew over SSH, unwired. After cirruslabs/macos-image-templates.
# exit: 0
# steps: 0 of 0
variable "macos_version" {
}
source "tart-cli" "tart" { #< note: macOS guest (vm_base_name = "ghcr.io/x/macos-${var.macos_version}:latest"
  vm_base_name = "ghcr.io/x/macos-${var.macos_version}:latest"
  ssh_username = "admin"
}
build {
  sources = ["source.tart-cli.tart"]
  provisioner "shell" {
    inline = ["brew update"]
  }
  provisioner "shell" {
    inline = ["brew upgrade"]
  }
}
