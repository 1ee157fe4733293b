# A dynamic block that is not of the build but inside of a provisioner is no provisioner. After hashicorp/packer's fixtures.
# exit: 0
# steps: 1 of 1
source "virtualbox-iso" "vm" {
}
build {
  sources = ["source.virtualbox-iso.vm"]
@first
  provisioner "shell" {
    execute_command = local.buildtel_execute_command
    inline          = ["true"]
    dynamic "tag" {
      for_each = local.standard_tags
      content {
        key = tag.key
      }
    }
  }
@last
}
