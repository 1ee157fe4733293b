# A JSON key over several lines makes a secret of each brace, in a heredoc, a quoted text, a local and a file.
# exit: 0
# steps: 0 of 0
variable "credentials" {
  sensitive = true
  default   = <<-EOT #< warning: variable credentials is sensitive and one of the lines of its value is '{'
    {
      "type": "service_account"
    }
  EOT
}
variable "quoted" {
  sensitive = true
  default   = "{\n  \"a\": \"a-long-secret\"\n}" #< warning: Make it one line, as jsonencode(jsondecode(…)) does
}
variable "object" {
  sensitive = true
  default = { #< warning: variable object is sensitive
    user = "somebody"
    key  = "[\n1,\n2\n]"
  }
}
local "of_a_file" {
  sensitive  = true
  expression = file("key.json") #< warning: local of_a_file is sensitive
}
source "qemu" "a" {
}
build {
  sources = ["source.qemu.a"]
@first
@last
}
#=== key.json
{
  "private_key": "x"
}
