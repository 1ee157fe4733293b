provisioner "file" {
  source      = "big"
  destination = "/tmp/big"
}
