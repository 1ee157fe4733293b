# One side of the condition is Windows: it is not asked for buildtel's provisioners, and must not get them.
# steps: 0 of 0
variable "win" {
  default = false
}
source "azure-arm" "win" { #< note: Windows guest (os_type = "Windows"
  os_type = "Windows"
}
source "azure-arm" "linux" {
  os_type = "Linux"
}
build {
  sources = var.win ? ["source.azure-arm.win"] : ["source.azure-arm.linux"]
@first #< wrong: Add only = ["azure-arm.linux"]
@last #< wrong: Add only = ["azure-arm.linux"]
}
