# A data source finds the image, over SSH.
# exit: 0
# steps: 0 of 0
data "amazon-ami" "test" {
  filters = {
    name = "Windows_Server-2016-English-Full-Base-*"
  }
}
source "amazon-ebs" "basic" { #< note: Windows guest (filters = "Windows_Server-2016-English-Full-Base-*" at main.pkr.hcl:5)
  source_ami   = data.amazon-ami.test.id
  communicator = "ssh"
}
source "amazon-ebs" "user" { #< note: Windows guest (ssh_username = "Administrator"
  ssh_username = "Administrator"
}
build {
  sources = ["source.amazon-ebs.basic", "source.amazon-ebs.user"]
}
