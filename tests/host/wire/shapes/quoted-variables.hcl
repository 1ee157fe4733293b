# Variables inside of quotes: wired or not, a value with a space keeps the script from running. After Skatteetaten/vagrant-hashistack.
# steps: 1 of 2
source "vagrant" "hashistack" {
}
build {
  sources = ["source.vagrant.hashistack"]
@first
  provisioner "shell" { #< note: {{ .Vars }} inside quotes
    execute_command = "${local.buildtel_pre}sudo -S -E -H sh -c '{{ .Vars }} {{ .Path }}'${local.buildtel_post}"
    script          = "install.sh"
  }
  provisioner "ansible-local" { #< note: level 1
    playbook_dir  = "../ansible/"
    playbook_file = "../ansible/install.yml"
  }
  provisioner "shell" { #< unmeasured: its own execute_command #< note: {{ .Vars }} inside quotes
    execute_command = "sudo -S -E -H sh -c '{{ .Vars }} {{ .Path }}'"
    script          = "cleanup.sh"
  }
@last
}
