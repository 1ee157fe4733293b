# Ansible is told to speak PowerShell over SSH. After trippsoft/packer-vagrant.
# exit: 0
# steps: 0 of 0
source "qemu" "qemu" { #< note: Windows guest (extra_arguments of provisioner "ansible" at main.pkr.hcl:11)
  communicator = "ssh"
}
build {
  sources = ["source.qemu.qemu"]
  provisioner "ansible" {
    use_proxy       = false
    extra_arguments = ["-e", "ansible_shell_type=powershell ansible_password=${build.Password}"]
  }
}
