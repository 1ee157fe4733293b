# A secret of one long line does no harm to records. After marcossilvestrini/packer.
# exit: 0
# steps: 0 of 0
variable "sudo_password" {
  type      = string
  default   = "mypassword"
  sensitive = true
}
source "null" "a" { #< note: no guest
  communicator = "none"
}
build {
  sources = ["source.null.a"]
}
