# A build in comments is none; the guest is said to be Ubuntu. After Emanuele94/Template-Automation.
# steps: 0 of 1
source "vsphere-iso" "ubuntu2004" {
  guest_os_type = "ubuntu64Guest"
}
#build {
#  sources = ["source.vsphere-iso.ubuntu2004"]
#  provisioner "ansible" {
#  }
#}
build { #< wrong: first #< wrong: last
  sources = ["source.vsphere-iso.ubuntu2004"]
  provisioner "shell" { #< unmeasured
    inline = ["sudo apt update -y && sudo apt upgrade -y"]
  }
}
