# Either of two Linux guests. After benjamin-lykins/plug-and-play-packer.
# exit: 0
# steps: 1 of 1
variable "cloud" {
}
locals {
  clouds = {
    aws = ["source.amazon-ebs.this"]
    gcp = ["source.googlecompute.this"]
  }
}
source "amazon-ebs" "this" {
}
source "googlecompute" "this" {
}
build {
  sources = lookup(local.clouds, var.cloud, ["source.amazon-ebs.this", "source.googlecompute.this"])
@first
  provisioner "shell" {
    execute_command = local.buildtel_execute_command
    script          = "a.sh"
  }
@last
}
