# One of many single-file Windows templates in a folder. After rgl/windows-vagrant.
# check: windows-2022.pkr.hcl
# exit: 0
# steps: 0 of 0
#=== windows-2022.pkr.hcl
source "qemu" "windows-2022-amd64" { #< note: Windows guest
  communicator = "ssh"
}
source "proxmox-iso" "windows-2022-amd64" { #< note: Windows guest
  os = "win11"
}
build {
  sources = ["source.qemu.windows-2022-amd64", "source.proxmox-iso.windows-2022-amd64"]
  provisioner "powershell" {
    use_pwsh = true
    script   = "provision.ps1"
  }
  provisioner "windows-restart" {
  }
}
#=== windows-2025.pkr.hcl
source "qemu" "windows-2022-amd64" {
}
