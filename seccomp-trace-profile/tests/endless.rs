//! Profiles that libseccomp never gets done with. In a file of its own: the thread that is left behind keeps a CPU busy
//! until the process ends.
#![cfg(feature = "libseccomp")]

use seccomp_trace_core::Arch;
use seccomp_trace_profile::{
    Baseline, Code, Compiled, Environment, Profile, ProfileError, Resolved, Semantics, diff,
    libseccomp_version, lint,
};

/// crun and runc hang on such a profile in the same call, so waiting for ever would be no better than refusing. Small
/// numbers are enough for 2.5.4.
#[test]
fn rules_on_which_libseccomp_does_not_end_are_an_error_that_names_the_call() {
    let profile = Profile::from_json(
        r#"{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64"],"syscalls":[
            {"names":["semget"],"action":"SCMP_ACT_ALLOW","args":[
                {"index":0,"value":1,"op":"SCMP_CMP_NE"},{"index":1,"value":5,"op":"SCMP_CMP_GT"}]},
            {"names":["semget"],"action":"SCMP_ACT_ALLOW","args":[
                {"index":0,"value":1,"op":"SCMP_CMP_NE"},{"index":2,"value":5,"op":"SCMP_CMP_EQ"}]}]}"#,
    )
    .unwrap();
    let resolved = Resolved::new(&profile, &Environment::default(), Arch::X86_64).unwrap();
    match Compiled::new(&resolved, Arch::X86_64) {
        Err(ProfileError::Endless { name, .. }) => {
            assert_eq!(name, "semget");
            let findings = lint(&profile, &Environment::default(), Baseline::None);
            assert!(findings.iter().any(|finding| finding.code == Code::Inequalities), "{findings:?}");
        }
        // A newer libseccomp may have been mended.
        Ok(_) => {
            assert!(!libseccomp_version().unwrap().starts_with("2.5."));
            let rules = Semantics::new(&profile, &resolved).unwrap();
            let filters = Semantics::compiled(&profile, &resolved).unwrap();
            assert!(diff(&rules, &filters).unwrap().is_empty());
        }
        Err(other) => panic!("{other}"),
    }
}
