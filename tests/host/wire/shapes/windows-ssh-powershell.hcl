# Windows over SSH, all of it powershell: left unwired, nothing is wrong. After gusztavvargadr/packer.
# exit: 0
# steps: 0 of 0
source "hyperv-iso" "core" { #< note: Windows guest (provisioner "powershell" at main.pkr.hcl:10)
  communicator = "ssh"
  ssh_username = "Administrator"
}
build {
  sources = ["source.hyperv-iso.core"]
  provisioner "powershell" {
    script = "init.ps1"
  }
  provisioner "windows-restart" {
  }
  provisioner "powershell" {
    script = "cleanup.ps1"
  }
}
