# Secrets that only the command line knows. After KlopfiNet/packer.
# steps: 0 of 0
variable "pm_api_token_secret" {
  type      = string
  sensitive = true
}
source "proxmox-iso" "a" {
  token = var.pm_api_token_secret
}
build { #< wrong: first #< wrong: last
  sources = ["source.proxmox-iso.a"]
}
