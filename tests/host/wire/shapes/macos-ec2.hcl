# A Mac in a cloud.
# exit: 0
# steps: 0 of 0
source "amazon-ebs" "ci" { #< note: macOS guest (instance_type = "mac2.metal"
  instance_type = "mac2.metal"
  ssh_username  = "ec2-user"
}
build {
  sources = ["source.amazon-ebs.ci"]
  provisioner "shell" {
    inline = ["sw_vers"]
  }
}
