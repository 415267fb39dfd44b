# Programs on machines outside of Google: the certificate of one machine may act as the accounts of the programs that run there.
locals {
  acting = merge([for machine, programs in var.machines : { for program in programs : "${machine} ${program}" => { machine = machine, program = program } }]...)
}

resource "google_service_account_iam_member" "machine" {
  for_each = local.acting

  service_account_id = var.accounts[each.value.program].name
  role               = "roles/iam.workloadIdentityUser"
  member             = "${var.subject}/${each.value.machine}"
}
