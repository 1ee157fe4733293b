# Both over SSH: the kind of provisioner that is for one source alone tells which is Windows.
# steps: 0 of 1
source "amazon-ebs" "a" {
}
source "amazon-ebs" "b" { #< note: Windows guest (provisioner "windows-restart" at main.pkr.hcl:13)
}
build { #< wrong: lacks buildtel's first #< wrong: lacks buildtel's last
  sources = ["amazon-ebs.a", "amazon-ebs.b"]
  provisioner "shell" { #< unmeasured
    only   = ["amazon-ebs.a"]
    inline = ["true"]
  }
  provisioner "windows-restart" {
    only = ["amazon-ebs.b"]
  }
}
