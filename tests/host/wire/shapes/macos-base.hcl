# A macOS with a name for a base. After oursky/github-ci-runner.
# exit: 0
# steps: 0 of 0
source "tart-cli" "tart" { #< note: macOS guest (vm_base_name = "macos"
  vm_base_name = "macos"
  vm_name      = "macos-base"
}
build {
  sources = ["source.tart-cli.tart"]
  provisioner "shell" {
    inline = ["sudo safaridriver --enable"]
  }
}
