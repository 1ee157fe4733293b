# One or two characters stand everywhere; a value in a file that Packer loads by itself counts as well.
# exit: 0
# steps: 0 of 0
variable "one" {
  sensitive = true
  default   = "a" #< warning: variable one is sensitive and its value has only 1 character:
}
variable "set" {
  type      = string
  sensitive = true
}
variable "empty" {
  sensitive = true
  default   = ""
}
variable "public" {
  default = "a"
}
# buildtel: ignore
variable "accepted" {
  sensitive = true
  default   = "b"
}
source "qemu" "a" {
}
build {
  sources = ["source.qemu.a"]
@first
@last
}
#=== ci.auto.pkrvars.hcl
set = "42" #< warning: variable set is sensitive and its value has only 2 characters:
