# A source in the build that adds the user, Ansible alone. After NE-Collegiate-Cyber-Defense-League/neccdc-2023-public.
# exit: 0
# steps: 0 of 0
source "amazon-ebs" "vm" {
}
build {
  name = "linux-builder"
  source "source.amazon-ebs.vm" {
    ssh_username = "admin"
  }
@first
  provisioner "ansible" { #< note: level 1
    playbook_file = "../playbook.yaml"
    use_proxy     = false
  }
@last
}
