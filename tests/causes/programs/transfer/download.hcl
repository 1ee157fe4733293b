provisioner "file" {
  direction   = "download"
  source      = "/mnt/build/big"
  destination = "down"
}
