# Source and build in files of their own, both of one folder. After alexey-vostrikov/glaber.
# exit: 0
# steps: 1 of 1
#=== source.pkr.hcl
source "qemu" "debian" {
  iso_url = var.source_qcow
}
#=== build.pkr.hcl
build {
  sources = ["source.qemu.debian"]
@first
  provisioner "shell" {
    execute_command = local.buildtel_execute_command
    inline          = ["true"]
  }
@last
}
#=== variables.pkr.hcl
variable "source_qcow" {
}
