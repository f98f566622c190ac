package android.app;

import android.content.Context;
import android.content.Intent;
import android.content.SharedPreferences;
import android.content.pm.PackageManager;
import android.media.AudioManager;
import phone.Phone;

public class Activity extends Context {
    private final AudioManager audioManager = new AudioManager();

    public boolean shouldShowRequestPermissionRationale(String permission) {
        Phone.since(23);
        return !Phone.granted && Phone.rationale;
    }

    public final void requestPermissions(String[] permissions, int requestCode) {
        Phone.since(23);
        Phone.ask(requestCode, permissions);
    }

    public void onRequestPermissionsResult(
            int requestCode, String[] permissions, int[] grantResults) {
        Phone.since(23);
    }

    @Override
    public Object getSystemService(String name) {
        return name.equals(AUDIO_SERVICE) ? audioManager : null;
    }

    @Override
    public int checkSelfPermission(String permission) {
        Phone.since(23);
        return Phone.granted ? PackageManager.PERMISSION_GRANTED : -1;
    }

    @Override
    public PackageManager getPackageManager() {
        return new PackageManager();
    }

    @Override
    public String getPackageName() {
        return "org.example.app";
    }

    @Override
    public void startActivity(Intent intent) {
        Phone.wrote("start " + intent);
    }

    @Override
    public SharedPreferences getSharedPreferences(String name, int mode) {
        return new SharedPreferences() {
            @Override
            public boolean getBoolean(String key, boolean defValue) {
                return Phone.preference(name + "/" + key, defValue);
            }

            @Override
            public Editor edit() {
                return new Editor() {
                    @Override
                    public Editor putBoolean(String key, boolean value) {
                        Phone.setPreference(name + "/" + key, value);
                        return this;
                    }

                    @Override
                    public void apply() {}
                };
            }
        };
    }
}
