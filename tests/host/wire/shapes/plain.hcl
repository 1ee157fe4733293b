# One shell provisioner with its own command, nothing wired. After lmisyuk/packer.
# steps: 0 of 1
source "amazon-ebs" "devops" {
}
build { #< wrong: build "trackeriq" lacks buildtel's first #< wrong: build "trackeriq" lacks buildtel's last provisioner: it removes what the first one leaves
  name    = "trackeriq"
  sources = ["source.amazon-ebs.devops"]
  provisioner "shell" { #< unmeasured: it has its own execute_command
    execute_command = "echo trackeriq | {{ .Vars }} sudo -E -H -S bash '{{ .Path }}'"
    scripts         = ["${path.root}/scripts/init.sh"]
  }
  post-processor "manifest" {
  }
}
