# The operating system is said outright, by a variable; the provisioners are Ansible's. After trippsoft/packer-vagrant.
# exit: 0
# steps: 0 of 0
variable "os_type" {
  default = "windows2019srv_64Guest"
}
source "vsphere-iso" "server" { #< note: Windows guest (guest_os_type = "windows2019srv_64Guest" at main.pkr.hcl:9)
  communicator  = "ssh"
  guest_os_type = var.os_type
}
build {
  sources = ["source.vsphere-iso.server"]
  provisioner "ansible" {
    playbook_file = "win_cis.yml"
  }
}
