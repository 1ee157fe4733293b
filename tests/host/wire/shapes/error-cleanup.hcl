# A provisioner of the user's that runs after a failure, and buildtel's: neither is out of order. After Azure/AgentBaker.
# exit: 0
# steps: 1 of 1
source "azure-arm" "vhd" {
  os_type = "Linux"
}
build {
  sources = ["source.azure-arm.vhd"]
@first
  provisioner "shell" {
    execute_command = local.buildtel_execute_command
    inline          = ["sudo /bin/bash -eux /home/packer/cis.sh"]
  }
@last
  error-cleanup-provisioner "shell" { #< note: error-cleanup-provisioner "shell" is not measured as a step
    inline = ["sudo /bin/bash /home/packer/generate-disk-usage.sh"]
  }
}
