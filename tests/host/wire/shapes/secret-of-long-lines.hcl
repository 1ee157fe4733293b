# A PEM key has several lines, none of them short; a JSON on one line does no harm.
# exit: 0
# steps: 0 of 0
variable "key" {
  sensitive = true
  default   = <<EOT
-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAA
-----END OPENSSH PRIVATE KEY-----
EOT
}
variable "json" {
  sensitive = true
  default   = "{\"a\": \"b-long-secret\"}"
}
source "qemu" "a" {
}
build {
  sources = ["source.qemu.a"]
@first
@last
}
