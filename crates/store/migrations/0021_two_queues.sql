-- Mails wait for the mail server and calls for gateways and sellers' programs: neither stands in line behind the other.
drop index jobs_due;
create index jobs_mails_due on jobs (run_at) where kind = 'send_mail';
create index jobs_calls_due on jobs (run_at) where kind <> 'send_mail';
