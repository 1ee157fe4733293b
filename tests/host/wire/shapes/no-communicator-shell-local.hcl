# Everything runs on the host. After hashicorp/packer's fixture reprepare.
# exit: 0
# steps: 0 of 0
source "null" "example" { #< note: no guest to measure
  communicator = "none"
}
build {
  sources = ["source.null.example"]
  provisioner "shell-local" {
    script           = "./${path.root}/hello.sh"
    environment_vars = ["BUILDER=${upper(build.ID)}"]
  }
}
