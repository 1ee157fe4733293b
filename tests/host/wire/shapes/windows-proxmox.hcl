# Proxmox's word for Windows, in a file of variables that Packer loads. After WoleryGarden/homelab_packer_proxmox.
# exit: 0
# steps: 0 of 0
variable "os" {
}
source "proxmox-iso" "server" { #< note: Windows guest (os = "win11" at main.pkr.hcl:7)
  os           = var.os
  communicator = "ssh"
}
build {
  sources = ["source.proxmox-iso.server"]
  provisioner "shell" {
    inline = ["ver"]
  }
}
#=== variables.auto.pkrvars.hcl
os = "win11"
