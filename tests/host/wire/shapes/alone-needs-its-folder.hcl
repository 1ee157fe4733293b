# A file that names what another file declares is not a template that stands alone. After chef/bento.
# check: pkr-builder.pkr.hcl
# steps: 1 of 1
#=== pkr-builder.pkr.hcl
@library
build {
  sources = ["source.qemu.vm"] #< wrong: pkr-sources.pkr.hcl:1 declares source.qemu.vm
@first
  provisioner "shell" {
    execute_command = local.buildtel_execute_command
    inline          = ["echo ${var.headless}"] #< wrong: pkr-variables.pkr.hcl:1 declares var.headless
  }
@last
}
#=== pkr-sources.pkr.hcl
source "qemu" "vm" {
}
#=== pkr-variables.pkr.hcl
variable "headless" {
}
