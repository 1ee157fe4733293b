provisioner "file" {
  pause_before = "LENGTH_Ss"
  source       = "t.pkr.hcl"
  destination  = "/tmp/t"
}
